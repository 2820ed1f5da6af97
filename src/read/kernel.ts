/** The kernel's release: `uname -a`, `uname -r`, `/proc/version` (kernel init/version.c linux_proc_banner). */

import { stateBase, type LineReader } from './section.js';

const RELEASE = /^\d{1,3}\.\d{1,4}[\w.+\-~]{0,64}$/;

export function kernelReader(): LineReader {
  return {
    id: 'kernel',
    line(line, section) {
      const banner = /^Linux (?:version (\S{1,80}) \(|\S{1,64} (\S{1,80}) #\d)/.exec(line);
      const isBare = section.command?.program === 'uname' && section.command.words.includes('-r');
      const release = banner?.[1] ?? banner?.[2] ?? (isBare ? line : '');
      if (!RELEASE.test(release)) return false;
      section.emit({ kind: 'kernel', ...stateBase(section), release });
      return true;
    },
  };
}
