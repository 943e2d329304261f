/** FLA's models that are none of ours, and in what they differ; docs/interchange.md lists the same. */

export const notEqual: Readonly<Record<string, string>> = {
  comba:
    "FLA corrects the query before it gives query and erase key the length 1, which `Comba` does behind that, as the paper has it",
  lightnet: "LightNet is not in the standard library",
  mamba3:
    "FLA computes Mamba-3 by kernels of mamba_ssm alone, so nothing shows that `Mamba3`, which turns other pairs of its state, is equal",
  mom: "FLA's memories share their convolutions and decays, and those of `MoM` have their own",
};
