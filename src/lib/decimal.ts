/**
 * Exact decimal amounts. An amount is a safe-integer count of minor units (cents), read from its
 * decimal text digit by digit: it never passes through a binary fraction, and is never multiplied.
 */

/** The largest number of decimal places that an amount may have (some currencies use four). */
const EXPONENT_MAX = 15

/**
 * Reads decimal text such as `-12.34` as minor units with `exponent` decimal places.
 * Returns undefined where the text is not plain decimal digits, has more significant places than
 * the exponent (`0.005` in cents), or does not fit a safe integer. Trailing zeros are accepted.
 */
export function parseMinor(text: string, exponent: number): number | undefined {
  checkExponent(exponent)
  const start = text[0] === '-' || text[0] === '+' ? 1 : 0
  let minor = 0
  let wholeDigits = 0
  let places = -1
  for (let i = start; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit === -2 && places < 0 && wholeDigits > 0) {
      places = 0
    } else if (digit < 0 || digit > 9) {
      return undefined
    } else if (places < 0 || places < exponent) {
      minor = minor * 10 + digit
      if (minor > Number.MAX_SAFE_INTEGER) return undefined
      if (places < 0) wholeDigits++
      else places++
    } else if (digit !== 0) {
      return undefined
    } else {
      places++
    }
  }
  if (wholeDigits === 0 || places === 0) return undefined
  for (let have = Math.max(places, 0); have < exponent; have++) minor *= 10
  if (minor > Number.MAX_SAFE_INTEGER) return undefined
  return text[0] === '-' && minor !== 0 ? -minor : minor
}

/** Writes minor units as decimal text with exactly `exponent` places: `1234` → `12.34`. */
export function formatMinor(minor: number, exponent: number): string {
  checkExponent(exponent)
  if (!Number.isSafeInteger(minor)) throw new Error(`${minor} is not a count of minor units.`)
  const digits = String(Math.abs(minor)).padStart(exponent + 1, '0')
  const sign = minor < 0 ? '-' : ''
  if (exponent === 0) return sign + digits
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`
}

function checkExponent(exponent: number): void {
  if (!Number.isInteger(exponent) || exponent < 0 || exponent > EXPONENT_MAX) {
    throw new Error(`A decimal exponent lies between 0 and ${EXPONENT_MAX}, not ${exponent}.`)
  }
}
