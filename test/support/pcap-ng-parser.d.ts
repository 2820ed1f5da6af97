/** The part of pcap-ng-parser 1.0.0 that the tests use; the package brings no types. */
declare module 'pcap-ng-parser' {
  import type { Transform } from 'node:stream';

  const PCAPNGParser: new () => Transform;
  export = PCAPNGParser;
}
