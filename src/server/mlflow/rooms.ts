// What the door of MLflow may ask of the rooms.
import type { Access, Identity } from '../../access/index.ts'
import type { AuditLog } from '../../audit/index.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Registry, Webhooks } from '../../registry/index.ts'
import type { Tracking } from '../../tracking/index.ts'

export interface MlflowRooms {
  readonly tracking: Tracking
  readonly registry: Registry
  readonly webhooks: Webhooks
  readonly audit: Pick<AuditLog, 'list'>
  readonly clock: Clock
}

export interface MlflowDoorOptions {
  readonly access: Pick<Access, 'authenticate'>
  readonly rooms: MlflowRooms
  /** Who asks where a request carries neither key nor session; without it such a request is refused. */
  readonly openTo?: Identity | undefined
  readonly onDefect: (error: unknown, request: { method: string; url: string }) => void
}
