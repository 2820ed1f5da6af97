import type { Scene } from './scene.js';

/** A function of a scene that works its result out once, however many cases ask for it. */
export function once<T>(work: (scene: Scene) => T): (scene: Scene) => T {
  const known = new WeakMap<Scene, { readonly result: T }>();
  return (scene) => {
    let found = known.get(scene);
    if (!found) known.set(scene, (found = { result: work(scene) }));
    return found.result;
  };
}
