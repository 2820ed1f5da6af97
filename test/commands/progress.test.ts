import { afterEach, expect, it, vi } from 'vitest';
import { Progress } from '../../src/commands/progress.js';

const MIB = 1024 * 1024;

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('tells the rate and the time left after a second, now and then, and removes its line', () => {
  vi.useFakeTimers({ now: 0 });
  const written: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  const progress = new Progress(
    [
      { name: 'a.pcap', size: 100 * MIB },
      { name: 'b.pcap', size: 100 * MIB },
    ],
    true,
  );
  const at = (ms: number, input: string, bytes: number): void => {
    vi.setSystemTime(ms);
    progress.show(input, bytes);
  };
  at(900, 'a.pcap', 45 * MIB);
  expect(written).toEqual([]);
  at(2000, 'a.pcap', 100 * MIB);
  at(2100, 'b.pcap', 5 * MIB);
  at(3000, 'b.pcap', 50 * MIB);
  expect(written).toEqual([
    '\r\x1b[Ka.pcap: 100 of 200 MiB, 50 MiB/s, 2 s left',
    '\r\x1b[Kb.pcap: 150 of 200 MiB, 50 MiB/s, 1 s left',
  ]);
  progress.clear();
  expect(written.at(-1)).toBe('\r\x1b[K');
});

it('says nothing where nobody watches', () => {
  vi.useFakeTimers({ now: 0 });
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const progress = new Progress([{ name: 'a.pcap', size: MIB }], false);
  vi.setSystemTime(5000);
  progress.show('a.pcap', 1);
  progress.clear();
  expect(write).not.toHaveBeenCalled();
});
