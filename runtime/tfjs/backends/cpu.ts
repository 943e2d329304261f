/** Plain JavaScript: always there, and the slowest. */

import type { Candidate } from "./candidate.js";

export const cpu: Candidate = {
  name: "cpu",
  async start(tf) {
    await tf.setBackend("cpu");
    return { started: true, what: "cpu (plain JavaScript)" };
  },
};
