import { createContext, useContext } from 'react'
import type { Session } from '../../src/server/contract/index.ts'

export const BankContext = createContext<Session | null>(null)

/** The bank that is open, and who has it open. Only inside the shell. */
export function useBank(): Session {
  const bank = useContext(BankContext)
  if (bank === null) throw new Error('useBank outside the shell')
  return bank
}

export function useTimeZone(): string {
  return useBank().clock.timeZone
}
