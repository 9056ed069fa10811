export function longEnough(text: string, lengthMin: number): boolean {
  return text.length >= lengthMin
}
