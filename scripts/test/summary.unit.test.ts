import { countJest, exitCode, nothing, sum, summaryLine } from './summary.ts';

const report = {
  numPassedTests: 5,
  numFailedTests: 1,
  numPendingTests: 2,
  numTodoTests: 1,
  numRuntimeErrorTestSuites: 0,
};

describe('the summary of npm test', () => {
  it('counts what jest reports, todo tests as skipped', () => {
    expect(countJest(report)).toEqual({ passed: 5, failed: 1, skipped: 3 });
  });

  it('counts a test file that cannot be run as a failure', () => {
    expect(countJest({ ...report, numFailedTests: 0, numRuntimeErrorTestSuites: 2 }).failed).toBe(2);
  });

  it('adds up and ends with the plain line', () => {
    const total = sum([{ passed: 1, failed: 0, skipped: 2 }, { passed: 3, failed: 1, skipped: 0 }, nothing]);
    expect(summaryLine(total)).toBe('4 passed, 1 failed, 2 skipped');
  });

  it('fails when something failed and when nothing ran', () => {
    expect(exitCode({ passed: 3, failed: 0, skipped: 1 })).toBe(0);
    expect(exitCode({ passed: 3, failed: 1, skipped: 0 })).toBe(1);
    expect(exitCode({ passed: 0, failed: 0, skipped: 4 })).toBe(1);
  });
});
