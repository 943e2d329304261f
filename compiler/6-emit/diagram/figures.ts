/** Counts as a picture shows them: three digits and a unit. */

const thousands = ["", "K", "M", "B", "T", "P"];
const binary = ["B", "KiB", "MiB", "GiB", "TiB"];

export const count = (value: number): string => scaled(value, 1000, thousands, "");
export const bytes = (value: number): string => scaled(value, 1024, binary, " ");

function scaled(value: number, base: number, units: readonly string[], space: string): string {
  let unit = 0;
  while (Math.round(value) >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const text = value
    .toFixed(digits)
    .replace(/\.?0+$/, (zeros) => (zeros.includes(".") ? "" : zeros));
  return `${text}${space}${units[unit]!}`;
}

/** `1.13M parameters, 539K active` */
export function parameterText(total: number, activated: number): string {
  const active = activated === total ? "" : `, ${count(activated)} active`;
  return `${count(total)} parameter${total === 1 ? "" : "s"}${active}`;
}
