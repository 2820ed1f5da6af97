/**
 * The core: what takes nearly all the time of reading a large capture, once more, for WebAssembly. It walks records,
 * decodes plain frames, counts them and hears what they claim, in the same memory and with the same results as the code in src/ that it stands
 * in for, and leaves everything unusual to that code.
 *
 * AssemblyScript: pointers are numbers, `load` and `store` take an address and a constant that is added to it.
 */

export { decode } from './decode';
export { add, find, setSlots } from './legs';
export { pairUp } from './pairs';
export { readBlocks, readRecords } from './read';
export { settle } from './settle';
export { setInterfaces, walkBlocks, walkRecords } from './walk';
export { keep } from './wanted';
