/**
 * Three kinds of test, told apart by their file name: `unit` needs nothing, `emulator` needs the Firestore and Auth
 * emulators (npm test starts them), `browser` needs Chromium.
 */
const common = {
  roots: ['<rootDir>/functions/src', '<rootDir>/emulators', '<rootDir>/scripts'],
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
};

module.exports = {
  // A busy machine is slow, not wrong. (Jest takes this here, not within a project.)
  testTimeout: 60_000,
  testSequencer: '<rootDir>/scripts/test/sequencer.cjs',
  projects: [
    { ...common, displayName: 'unit', testMatch: ['**/*.unit.test.ts'] },
    { ...common, displayName: 'emulator', testMatch: ['**/*.emulator.test.ts'] },
    { ...common, displayName: 'browser', testMatch: ['**/*.browser.test.ts'] },
  ],
};
