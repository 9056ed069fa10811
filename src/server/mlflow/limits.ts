// Bounds of the door itself. What may be stored is the tracking room's to say.

/** The longest JSON body unless an endpoint says otherwise: a whole log-batch takes about 2 MB. */
export const bodyBytesMax = 4 * 1024 * 1024

/** The version of MLflow whose protocol is spoken, as `/version` tells. */
export const emulatedVersion = '3.17.2'

/** Milliseconds since 1970 whose microseconds are still safe integers: until the year 2255. */
export const timeMsMax = 9_007_199_254_740
