import type { Clock, Logger } from '@outrigger/spec'
import type { AppChannel, AppResponse } from '../../app/channel.ts'
import { HeldPlace } from '../../app/held-place.ts'
import { withDeadline } from '../../app/time.ts'
import { whole, type Policy } from '../../resiliency/policy.ts'
import { callApp } from '../invoke/call-app.ts'
import { wireItems } from './items.ts'
import type { ConfigurationListener } from './subscription.ts'

/** An application that hangs must not keep later changes from being told for ever. */
const deadlineMs = 60_000
const maxReplyBytes = 64 * 1024
const fields = ['content-type', 'application/json']

/** Posts changes to the application: one call for each key, each with all items, over gRPC as `OnInvoke`. What it does not take is logged. */
export function appListener(
  channel: AppChannel,
  storeName: string,
  tools: { readonly clock: Clock; readonly logger: Logger; readonly policy: Policy | undefined },
): ConfigurationListener {
  const { clock, logger, policy } = tools
  return async (id, changes, cut, closing) => {
    const body = Buffer.from(JSON.stringify({ id, items: wireItems(changes) }))
    for (const key of Object.keys(changes)) {
      if (cut.aborted) return
      const path = `/configuration/${encodeURIComponent(storeName)}/${pathOf(key)}`
      const held = channel.place && new HeldPlace(channel.place, `configuration ${storeName}`, cut)
      try {
        const post = (parent: AbortSignal | undefined): Promise<void> =>
          withDeadline(clock, deadlineMs, parent, async (signal) => {
            const request = { method: 'POST', path, fields, body, signal, place: held?.current }
            const response = await callApp(channel, request, body.length)
            await drain(response)
            if (response.status < 200 || response.status > 299)
              throw new Error(`the application answered ${response.status}`)
          })
        if (policy === undefined) await held?.next()
        await (policy === undefined
          ? post(cut)
          : policy.run(post, { signal: cut, until: closing, ready: held?.next, outcome: whole }))
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error)
        logger.warn('the application did not take a configuration change', { path, id, problem })
      } finally {
        held?.leave()
      }
    }
  }
}

/** Slashes of a key stay slashes, but no key leads out of the folder of its store. */
function pathOf(key: string): string {
  const escaped = encodeURIComponent(key)
  const segments = key.split('/')
  return segments.some((segment) => segment === '.' || segment === '..')
    ? escaped
    : segments.map(encodeURIComponent).join('/')
}

async function drain(response: AppResponse): Promise<void> {
  await response.body.bytes(maxReplyBytes).catch(() => response.body.cancel())
}
