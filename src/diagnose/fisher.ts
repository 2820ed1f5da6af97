/**
 * Fisher's exact test, one-sided: the probability that a table with the same sums has at least so many frames in the
 * first row's second column.
 */
export function fisherExact(a: number, b: number, c: number, d: number): number {
  const logs = logFactorials(a + b + c + d);
  const log = (n: number): number => logs[n] ?? 0;
  const fixed = log(a + b) + log(c + d) + log(a + c) + log(b + d) - log(a + b + c + d);
  let sum = 0;
  for (let more = 0; more <= Math.min(a, d); more++) {
    sum += Math.exp(fixed - log(a - more) - log(b + more) - log(c + more) - log(d - more));
  }
  return Math.min(1, sum);
}

function logFactorials(n: number): Float64Array {
  const logs = new Float64Array(n + 1);
  for (let i = 2; i <= n; i++) logs[i] = (logs[i - 1] ?? 0) + Math.log(i);
  return logs;
}
