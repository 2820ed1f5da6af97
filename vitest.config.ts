import { defineConfig } from 'vitest/config';
import { TallyReporter } from './test/support/tally-reporter.js';

// Times in the outputs must not depend on where the tests run; the commands that tests start inherit this.
process.env.TZ = 'UTC';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/report-page.ts'],
    reporters: ['default', new TallyReporter()],
    watch: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
