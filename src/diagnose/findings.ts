/** Findings: what the misdeliveries have in common and which known cause explains them. */

import type { Finding, Misdelivery } from '../model.js';

export function findingsOf(misdeliveries: readonly Misdelivery[]): Finding[] {
  const findings: Omit<Finding, 'id'>[] = [];
  const plain = misdeliveries.filter((m) => m.class === undefined);
  const convergence = misdeliveries.filter((m) => m.class === 'convergence');
  if (plain.length > 0) {
    findings.push({
      cause: 'unexplained',
      confidence: 'suspected',
      title: 'Misdelivery, cause undetermined',
      summary: 'Frames went to the right IP address and a MAC that did not have it. macscan does not name causes yet.',
      explains: plain.map((m) => m.id),
    });
  }
  if (convergence.length > 0) {
    findings.push({
      cause: 'convergence',
      confidence: 'strong',
      title: 'Neighbour convergence',
      summary: 'An address moved to another MAC, and the sender had not been told yet. This is normal.',
      explains: convergence.map((m) => m.id),
    });
  }
  return findings.map((finding, i) => ({ id: `C${i + 1}`, ...finding }));
}
