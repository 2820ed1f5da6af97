/** One format of captures, reading from a window that its caller fills. */
export interface RecordReader {
  /**
   * Reads every whole record in the window, hands the packets over, and moves the window's position behind them.
   * @returns the unread bytes it needs to go on, 0 when it will read no more
   */
  walk(): number;
  /** Tells the reader that the bytes it asked for last do not exist. */
  finish(): void;
}

/** Link types whose packets may be larger than Ethernet's and its kin: D-Bus, USBPcap, Elektrobit. */
const LARGE_LINK_TYPES: readonly number[] = [231, 249, 279];

/**
 * The most bytes that a record of this link type may claim before it is taken for damage: the limit of libpcap and
 * Wireshark, 256 KiB, and for the few larger ones a bound of our own.
 */
export function maximumPacketLength(linkType: number): number {
  return LARGE_LINK_TYPES.includes(linkType) ? 16 * 1024 * 1024 : 256 * 1024;
}
