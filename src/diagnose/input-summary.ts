import type { Diagnostic, Input, InputKind } from '../model.js';
import type { DeviceNames } from '../reconstruct/devices.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';

/** An input after the first reading. */
export interface ReadInput {
  readonly name: string;
  readonly evidence: { readonly size: number; sha256(): string };
  readonly kind: InputKind;
  /** Of texts. */
  readonly facts: { readonly factsByKind: ReadonlyMap<string, number>; readonly unknownLines: number } | undefined;
  readonly frames: number;
  readonly dropped: ReadonlyMap<number, number>;
  readonly diagnostics: Diagnostic[];
}

/**
 * What the analysis says of an input.
 * @param shift what was added to its times, in ns
 */
export function summaryOf(
  r: Reconstruction,
  index: number,
  input: ReadInput,
  devices: DeviceNames,
  shift: number | undefined,
): Input {
  const ports = r.taps.ports.filter((port) => port.input === index);
  const span = r.spans.get(index);
  const isCapture = ports.length > 0 || input.kind === 'pcap' || input.kind === 'pcapng';
  return {
    name: input.name,
    kind: input.kind,
    sha256: input.evidence.sha256(),
    bytes: input.evidence.size,
    ...(shift === undefined ? {} : { moved: String(shift) }),
    ...(isCapture
      ? {
          frames: input.frames,
          firstTime: r.epoch.text(span?.first ?? NaN),
          lastTime: r.epoch.text(span?.last ?? NaN),
        }
      : {}),
    ...(isCapture
      ? {
          interfaces: ports.map((port) => ({
            index: port.description.index,
            device: devices.ofPort(port.id),
            linkType: port.description.linkType,
            frames: port.frames,
            ...(port.description.filter === undefined ? {} : { filter: port.description.filter }),
            ...(port.description.snapLength > 0 ? { snapLength: port.description.snapLength } : {}),
            ...(input.dropped.has(port.description.index)
              ? { dropped: input.dropped.get(port.description.index) ?? 0 }
              : {}),
          })),
        }
      : {}),
    ...(input.facts && input.kind === 'text'
      ? { facts: Object.fromEntries([...input.facts.factsByKind].sort()), unknownLines: input.facts.unknownLines }
      : {}),
  };
}
