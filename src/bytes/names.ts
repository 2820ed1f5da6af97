/** Where something lies: its whole path, and how many of its last parts make its name unless more are needed. */
export interface Located {
  readonly path: readonly string[];
  readonly shown: number;
}

/**
 * Gives every item a name of its own: the last parts of its path, more of them where two would be named alike, and a
 * number where even the whole paths are alike (an archive may hold a file twice).
 * @returns the items sorted by name, whatever their order was
 */
export function distinctNames<Item extends Located>(items: readonly Item[]): { name: string; item: Item }[] {
  const named = items.map((item) => ({ item, shown: item.shown, name: nameOf(item, item.shown) }));
  for (;;) {
    const counts = new Map<string, number>();
    for (const { name } of named) counts.set(name, (counts.get(name) ?? 0) + 1);
    let changed = false;
    for (const entry of named) {
      if (counts.get(entry.name) === 1 || entry.shown >= entry.item.path.length) continue;
      entry.shown++;
      entry.name = nameOf(entry.item, entry.shown);
      changed = true;
    }
    if (!changed) break;
  }
  const taken = new Set<string>();
  for (const entry of named) {
    const { name } = entry;
    for (let count = 2; taken.has(entry.name); count++) entry.name = `${name} (${count})`;
    taken.add(entry.name);
  }
  return named
    .map(({ name, item }) => ({ name, item }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function nameOf(item: Located, shown: number): string {
  return item.path.slice(-shown).join('/');
}
