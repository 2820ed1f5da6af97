/** The compiled core, in base64: made by `scripts/core.js`. */
export declare const CORE: string;
