/** What every renderer may be told. */

/** The maker of a MAC's hardware, where its prefix is registered; undefined for all others. */
export type VendorNames = (mac: string) => string | undefined;

export interface RenderOptions {
  readonly color: boolean;
  /** Also delivered inputs, all places, all evidence. */
  readonly verbose: boolean;
  /** Only the verdict line. */
  readonly quiet: boolean;
  /** Missing when names are not wanted. */
  readonly names?: VendorNames | undefined;
}
