import { OUT_OF_MEMORY } from '../errors.js';
import {
  BATCH_SIZE,
  type CaptureInterface,
  type CaptureSink,
  type InputDiagnostic,
  PacketBatch,
} from '../records/packet-batch.js';

/** Diagnostics of one kind that one capture may give; the rest is counted. */
const MAX_OF_A_KIND = 10;

/** What a reader of captures has given so far: fills the batch, numbers the frames, bounds the diagnostics. */
export class CaptureOutput {
  readonly batch: PacketBatch;
  readonly sink: CaptureSink;
  /** Rows of the batch in use; `batch.count` is set when the batch is handed over. */
  rows = 0;
  /** Frames given so far: the number of the last one. */
  frames = 0;
  interfaces = 0;
  /** Something was wrong with the capture's structure, or its end lacks. */
  damaged = false;
  private readonly told = new Map<string, number>();
  /** Rows in use that the sink selected. */
  private selected = 0;

  constructor(sink: CaptureSink, batch = new PacketBatch()) {
    this.batch = batch;
    this.sink = sink;
  }

  /** Hands the rows to the sink. To be called before the bytes that they point to move. */
  flush(): void {
    this.select();
    if (this.rows === 0) return;
    this.batch.count = this.rows;
    this.rows = 0;
    this.selected = 0;
    this.sink.packets(this.batch);
  }

  /** Makes room for a row; to be called after each row is complete. */
  rowDone(): void {
    this.frames++;
    if (++this.rows === BATCH_SIZE) this.full();
  }

  /** The same for several rows, which are complete. */
  rowsDone(count: number): void {
    this.frames += count;
    this.rows += count;
    if (this.rows === BATCH_SIZE) this.full();
  }

  /** Where the sink wants few of the rows, the batch is filled up before it is handed over. */
  private full(): void {
    this.select();
    if (this.rows > BATCH_SIZE / 2) this.flush();
  }

  private select(): void {
    if (!this.sink.select || this.rows === this.selected) return;
    this.batch.count = this.rows;
    this.sink.select(this.batch, this.selected);
    this.rows = this.selected = this.batch.count;
  }

  interface(description: CaptureInterface): void {
    this.interfaces++;
    this.flush();
    this.sink.interface(description);
  }

  /** Says something about the capture behind the last frame given. */
  diagnostic(id: string, offset: number, what: string, action: string): void {
    const count = (this.told.get(id) ?? 0) + 1;
    this.told.set(id, count);
    if (count > MAX_OF_A_KIND) return;
    this.flush();
    this.sink.diagnostic({ id, frame: this.frames, offset, what, action });
  }

  /** Damage of the structure, as against an oddity of one record. */
  damage(id: string, offset: number, what: string, action: string): void {
    this.damaged = true;
    this.diagnostic(id, offset, what, action);
  }

  /** Drops the rows in use, as there is no memory for what they would make, and says where that was. */
  abandon(offset: number): void {
    this.rows = this.selected = 0;
    const what = 'The memory does not suffice to read on from about here.';
    this.damage(OUT_OF_MEMORY, offset, what, 'What stands before it was used.');
  }

  /** Hands over what is left, and how many diagnostics were held back. */
  finish(): void {
    this.flush();
    for (const [id, count] of this.told) {
      if (count <= MAX_OF_A_KIND) continue;
      const diagnostic: InputDiagnostic = {
        id,
        what: `The same happened ${count - MAX_OF_A_KIND} more times in this capture.`,
        action: 'These were treated alike and are not listed.',
      };
      this.sink.diagnostic(diagnostic);
    }
  }
}
