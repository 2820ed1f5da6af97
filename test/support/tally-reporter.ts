import type { Reporter, TestModule } from 'vitest/node';

/** Prints how many tests passed, failed and were skipped, on one line that other programs can read, as the last one. */
export class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tally = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) tally[test.result().state]++;
      failedSuites(module, () => tally.failed++);
    }
    console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped + tally.pending} skipped`);
  }
}

/** A file or suite that breaks before its tests run (an import, a hook) has no failed test of its own. */
function failedSuites(module: TestModule, count: () => void): void {
  if (module.errors().length > 0) count();
  for (const suite of module.children.allSuites()) if (suite.errors().length > 0) count();
}
