/** The generations of the SDK that are tested. */
export const versions = ['1.19', '1.10'] as const

/** Which client: of which version, and whether it is the asynchronous one. */
export interface Kind {
  readonly version: (typeof versions)[number]
  readonly kind: 'sync' | 'async'
}

/** Methods of the client that other tests are about, or that belong to what is not built yet. */
export const elsewhere = /^(?:shutdown|converse_.*|.*_job|.*_job_alpha1|.*_workflow|.*_workflow_event)$/

/** The asynchronous client follows configuration with code of the other one, which cannot work. */
export const broken = ['subscribe_configuration', 'unsubscribe_configuration']

/** What each method of the client must bring, see the calls beside this file. */
export function expectedOf({ version, kind }: Kind): Readonly<Record<string, unknown>> {
  const newer = version === '1.19'
  /** A failure whose reason the newer version tells. */
  const told = (code: string, reason: string): string[] => (newer ? [code, reason] : [code])
  const noStore = told('INVALID_ARGUMENT', 'DAPR_STATE_NOT_FOUND')
  const noBroker = told('INVALID_ARGUMENT', 'DAPR_PUBSUB_NOT_FOUND')
  const stale =
    'failed saving state in state store store: the ETag of key "own||saved" is not the current one'
  // Of `save_state` alone the asynchronous client keeps the text only.
  const saved = (text: string, otherwise: string[]): string[] =>
    newer && kind === 'async' ? ['DaprInternalError', text] : otherwise
  const invoked = {
    posted: [{ method: 'POST', body: '{"n":1}' }, 'application/json'],
    got: { method: 'GET', body: '' },
    absent: newer
      ? ['DaprHttpError', 'HTTP status code: 404 (Error Code: ERR_DOES_NOT_EXIST, Status Code: 404)']
      : ['DaprInternalError', "('Not Found', 'ERR_DOES_NOT_EXIST')"],
  }
  return {
    save_state: {
      headers: 'dict',
      found: { n: 1 },
      stale: saved(stale, told('ABORTED', 'ERR_STATE_SAVE')),
      value: '{"n":1}',
      nosuch: saved('state store nosuch is not found', noStore),
    },
    get_state: { data: '00ff', etag: true, absent: ['', ''], nosuch: noStore },
    save_bulk_state: { found: { two: 2 }, nosuch: noStore },
    get_bulk_state: {
      items: { 'many-1': ['one', true, ''], 'many-2': ['two', true, ''], absent: ['', false, ''] },
      nosuch: noStore,
    },
    execute_state_transaction: {
      stale: told('INTERNAL', 'ERR_STATE_TRANSACTION'),
      values: ['y', '', ''],
      nosuch: noStore,
    },
    delete_state: { stale: told('ABORTED', 'ERR_STATE_DELETE'), before: 'x', after: '' },
    query_state: {
      found: [['q1', { org: 'a', n: 1 }]],
      store: told('INTERNAL', 'DAPR_STATE_QUERYING_NOT_SUPPORTED'),
    },
    publish_event: { nosuch: noBroker },
    invoke_binding: { text: 'two words', nosuch: ['INTERNAL'] },
    invoke_method: invoked,
    get_secret: {
      secret: { password: 'swordfish' },
      absent: ['INTERNAL'],
      nosuch: ['INVALID_ARGUMENT'],
    },
    get_bulk_secret: {
      secrets: { password: { password: 'swordfish' }, 'db:user': { 'db:user': 'sa' } },
      nosuch: ['INVALID_ARGUMENT'],
    },
    get_configuration: { items: { colour: 'red' }, nosuch: ['INVALID_ARGUMENT'] },
    try_lock: { success: [true, false], nosuch: ['INVALID_ARGUMENT'] },
    unlock: { statuses: ['lock_does_not_exist', 'lock_belongs_to_others', 'success'] },
    get_metadata: { id: 'own', store: [['state.sqlite', 'v1', true]], actors: {} },
    set_metadata: { mark: kind },
    wait: { waited: null },
    close: { closed: [null, null] },
    ...(kind === 'sync' && {
      subscribe_configuration: { told: true, ended: true },
      unsubscribe_configuration: { told: true, ended: true, unknown: false },
      invoke_method_async: invoked,
    }),
    ...(newer && {
      publish_events: { failed: [], nosuch: noBroker },
      subscribe: {
        got: [
          ['good', 'stream', 'broker', 'application/json'],
          ['bad', 'stream', 'broker', 'application/json'],
          ['bad', 'stream-dead', 'broker', '1.0'],
        ],
        refused: kind === 'sync' ? 'Exception' : 'INVALID_ARGUMENT',
      },
      subscribe_with_handler: { got: [{ n: 1 }, { n: 1 }] },
      encrypt: { scheme: 'dapr.io/enc/v1\n', same: true },
      decrypt: { text: 'text', unnamed: ['INTERNAL'], plain: ['INTERNAL'] },
      get_credentials: { made: true },
    }),
  }
}

/** What `invoke_method` brings when the variables tell it to use gRPC. */
export const invokedOverGrpc = {
  posted: [{ method: 'POST', body: '{"n":1}' }, 'application/json'],
  got: { method: 'GET', body: '' },
  absent: ['NOT_FOUND'],
}
