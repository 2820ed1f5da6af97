// The makers of hardware by MAC prefix, from the package oui-data (the IEEE's public lists), as one text: a line feed,
// then a line each of the prefix in hexadecimal digits, a tab and a name that is short enough to stand behind a MAC.
import vendors from 'oui-data' with { type: 'json' };

// Words at the end of a name that tell its legal form, not who it is.
const FORM =
  /[\s,.&]+(?:co|company|corp|corporation|inc|incorporated|ltd|limited|llc|gmbh|ag|kg|plc|pty|pte|pvt|bv|b\.v|nv|sa|s\.a|sas|srl|s\.r\.l|spa|s\.p\.a|oy|ab|a\/s|as|aps|trading|int'l|international|sdn|bhd|kft|s\.r\.o|sro|ltda|mbh|&)[\s.,]*$/i;

export function vendorList() {
  const lines = Object.entries(vendors)
    .map(([prefix, entry]) => [prefix.toLowerCase(), shortName(entry)])
    .filter(([prefix, name]) => name !== '' && isGlobal(prefix))
    .map(([prefix, name]) => `${prefix}\t${name}\n`);
  return `\n${lines.sort().join('')}`;
}

// Only addresses that are neither locally administered nor groups are given to a maker.
function isGlobal(prefix) {
  return (parseInt(prefix.slice(0, 2), 16) & 3) === 0;
}

function shortName(entry) {
  let name = entry.split('\n')[0].replaceAll(/\s+/g, ' ').trim();
  // Whoever paid for not being named, and prefixes that were given on in parts.
  if (/^(?:private|ieee registration authority)$/i.test(name)) return '';
  name = name.replaceAll(/\s*\([^)]*\)/g, '');
  for (;;) {
    const shorter = name.replace(FORM, '').replace(/[\s,.;&-]+$/, '');
    if (shorter === name || shorter === '') return name;
    name = shorter;
  }
}
