/** The colour of a load: the page's own where it is even, towards blue below and orange above, by its logarithm. */

export type Rgb = readonly [red: number, green: number, blue: number];

const idle: Rgb = [33, 102, 212];
const busy: Rgb = [230, 119, 20];

/** Times (or a part of) the even load at which the colour is full. */
const full = 4;

/** @param load times the even one: 0 is nothing, 1 is even */
export function loadColour(load: number, even: Rgb): Rgb {
  const amount = load <= 0 ? -1 : Math.max(-1, Math.min(1, Math.log(load) / Math.log(full)));
  const end = amount < 0 ? idle : busy;
  const mixed = even.map((from, i) => Math.round(from + (end[i]! - from) * Math.abs(amount)));
  return [mixed[0]!, mixed[1]!, mixed[2]!];
}
