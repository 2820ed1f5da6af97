/**
 * The import rule: a stage knows itself and what lies to its left. Checked by `npm run lint`; that this file still sees
 * the modules, and still objects to a wrong import, is tested in test/house/imports.test.ts.
 */
const stages = ['bytes', 'records', 'read', 'decode', 'reconstruct', 'detect', 'diagnose', 'redact', 'render'];

/** Only these may import across the stages, and no stage may import them. */
const across = ['cli\\.ts', 'commands/', 'scan\\.ts', 'input-reader\\.ts', 'input-kind\\.ts', 'index\\.ts'];

const rightward = stages.map((stage, position) => ({
  name: `${stage}-knows-only-its-left`,
  comment: `Imports run left to right: ${stages.join(' -> ')}.`,
  severity: 'error',
  from: { path: `^src/${stage}/` },
  to: { path: `^src/(${[...stages.slice(position + 1).map((later) => `${later}/`), ...across].join('|')})` },
}));

export default {
  forbidden: [
    ...rightward,
    {
      name: 'records-are-plain',
      comment: 'The types handed between the stages need addresses and nothing else.',
      severity: 'error',
      from: { path: '^src/records/' },
      to: { path: '^src/', pathNot: '^src/(records/|bytes/address\\.ts$)' },
    },
    {
      name: 'model-and-errors-import-nothing',
      severity: 'error',
      comment: 'But the model its own parts.',
      from: { path: '^src/(model|model-impact|model-system|errors)\\.ts$' },
      to: { pathNot: '^src/model-(impact|system)\\.ts$' },
    },
    {
      name: 'causes-and-renderers-see-no-reader',
      comment: 'They work on the finished reconstruction and the analysis, whatever format the evidence came in.',
      severity: 'error',
      from: { path: '^src/(diagnose|render)/' },
      to: { path: '^src/(read|decode)/' },
    },
    {
      name: 'no-new-place',
      comment: 'A module of src/ belongs to a stage, or to the few files that join the stages.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: `^src/(${[...stages.map((stage) => `${stage}/`), ...across].join('|')}|model(-impact|-system)?\\.ts|errors\\.ts)`,
      },
      to: {},
    },
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'nothing-but-runtime-dependencies',
      comment: 'What src/ imports must be there after `npm install macscan`.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
