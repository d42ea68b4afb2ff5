/** The arrows between the rooms of the house (docs: README, "The house"). */
const domain = '^functions/src/(payments|coaches|payouts|sessions|ledger|accounting|webhooks|reconciliation|admin)/';
const tests = '\\.test\\.ts$|/testing/';

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'emulators-share-nothing-with-functions',
      comment: "An emulator that shares the product's arithmetic proves nothing.",
      severity: 'error',
      from: { path: '^emulators/' },
      to: { path: '^functions/' },
    },
    {
      name: 'functions-share-nothing-with-emulators',
      severity: 'error',
      from: { path: '^functions/', pathNot: tests },
      to: { path: '^(emulators|scripts)/' },
    },
    {
      name: 'a-domain-is-used-through-its-service-or-its-types',
      comment: 'No other folder touches a store, an api or an events file.',
      severity: 'error',
      // The dispatch table is the one place that lists every domain's event handlers.
      from: { path: domain, pathNot: `${tests}|^functions/src/webhooks/dispatch\\.ts$` },
      to: {
        path: domain,
        pathNot: [
          '^functions/src/$1/',
          '\\.service\\.ts$',
          '^functions/src/ledger/',
          '^functions/src/[a-z]+/[a-z/-]+\\.ts$',
        ],
      },
    },
    {
      name: 'pure-files-do-no-io',
      comment: 'NAME.ts holds types and pure rules: no store, no service, no SDK at run time.',
      severity: 'error',
      from: {
        path: '^functions/src/(?!platform|index|config)[a-z]+/[a-z/-]+\\.ts$',
        pathNot: `${tests}|^functions/src/webhooks/dispatch\\.ts$`,
      },
      to: {
        path: '\\.(store|service|api|events)\\.ts$|node_modules/(stripe|axios|firebase-functions)/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'stores-know-no-service',
      severity: 'error',
      from: { path: '\\.store\\.ts$' },
      to: { path: '\\.(service|api|events)\\.ts$' },
    },
    {
      name: 'services-know-no-entrance',
      severity: 'error',
      from: { path: '\\.service\\.ts$' },
      to: { path: '\\.(api|events)\\.ts$' },
    },
    {
      name: 'platform-knows-no-domain',
      severity: 'error',
      from: { path: '^functions/src/platform/', pathNot: tests },
      to: { path: domain },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'functions/lib' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.cjs', '.mjs', '.json'],
    },
  },
};
