// Counts the packets of a capture with pcap-ng-parser, as its users would: the peer of that name in the tables.
import { createReadStream } from 'node:fs';
import PCAPNGParser from 'pcap-ng-parser';

let packets = 0;
const parser = new PCAPNGParser();
parser.on('data', () => packets++);
createReadStream(process.argv[2]).pipe(parser);
// The parser does not say when it is done.
process.on('exit', () => console.log(packets));
