/** What the JavaScript engine (V8) is told for runs over captures of some size. Small ones are over before it matters. */

import { setFlagsFromString } from 'node:v8';

/**
 * By Node's major version, how long a function has to run before it is optimised: many times as long as otherwise, but not
 * so long that loops over millions of flows wait for it. The names differ, and an engine complains of those that it does
 * not know.
 */
const COMPILE_LATER: Readonly<Record<string, string>> = {
  '20': '--interrupt-budget=1000000',
  '22': '--invocation-count-for-turbofan=100000',
  '24': '--invocation-count-for-turbofan=100000',
};

/** To be called before anything is read. */
export function prepareEngine(): void {
  if (compileLaterFlag() === undefined) return;
  // Hardly any young object survives, and room for more of them takes 20 to 30 MB.
  setFlagsFromString('--semi-space-growth-factor=1');
  // The loops over packets are the core's: what is left for the engine is not worth its best efforts.
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=200');
}

/** Of what follows the reading, much runs just long enough to be optimised, and not long enough to be worth it. */
export function compileLater(): void {
  const flag = compileLaterFlag();
  if (flag !== undefined) setFlagsFromString(flag);
}

function compileLaterFlag(): string | undefined {
  return COMPILE_LATER[process.versions.node.split('.')[0] ?? ''];
}
