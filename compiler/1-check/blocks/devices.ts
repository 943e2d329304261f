/** The devices that a mesh can be made of. */

export const devices = {
  cpu: "processors of a host",
  a100: "NVIDIA A100, 80 GB",
  h100: "NVIDIA H100, 80 GB",
  h200: "NVIDIA H200, 141 GB",
  b200: "NVIDIA B200, 192 GB",
  l40s: "NVIDIA L40S, 48 GB",
  rtx4090: "NVIDIA GeForce RTX 4090, 24 GB",
  mi300x: "AMD Instinct MI300X, 192 GB",
} as const;

export type Device = keyof typeof devices;

/** Memory of one device in bytes, as its maker gives it; null for what differs from machine to machine. */
export const deviceMemoryBytes: Readonly<Record<Device, number | null>> = {
  cpu: null,
  a100: 80e9,
  h100: 80e9,
  h200: 141e9,
  b200: 192e9,
  l40s: 48e9,
  rtx4090: 24e9,
  mi300x: 192e9,
};
