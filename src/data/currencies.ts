/**
 * Decimal places of currencies as ISO 4217 lists them. The runtime's locale data are not used: for
 * some currencies they give the digits that people print, not those that banks count.
 */
const exponents: Readonly<Record<string, number>> = {
  BIF: 0,
  CLP: 0,
  DJF: 0,
  GNF: 0,
  ISK: 0,
  JPY: 0,
  KMF: 0,
  KRW: 0,
  PYG: 0,
  RWF: 0,
  UGX: 0,
  UYI: 0,
  VND: 0,
  VUV: 0,
  XAF: 0,
  XOF: 0,
  XPF: 0,
  BHD: 3,
  IQD: 3,
  JOD: 3,
  KWD: 3,
  LYD: 3,
  OMR: 3,
  TND: 3,
  CLF: 4,
  UYW: 4,
}

const known = new Set(Intl.supportedValuesOf('currency'))

/** Number of decimal places of a currency's minor unit; undefined for a code that is no currency. */
export function currencyExponent(code: string): number | undefined {
  if (!known.has(code) && exponents[code] === undefined) return undefined
  return exponents[code] ?? 2
}
