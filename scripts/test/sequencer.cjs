const Sequencer = require('@jest/test-sequencer').default;

/** Files of minutes, however short: begun last, one of them would keep everybody waiting while the others are done. */
const long = /faults-|convergence|road\.emulator|histories|weeks|months|lives|bench/;

/** The long ones first; among the rest, jest's own order. */
module.exports = class extends Sequencer {
  sort(tests) {
    const [first, rest] = [tests.filter(({ path }) => long.test(path)), tests.filter(({ path }) => !long.test(path))];
    return [...super.sort(first), ...super.sort(rest)];
  }
};
