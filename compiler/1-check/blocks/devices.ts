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
