/** What both servers of the wire suite answer. */
export const value = JSON.stringify({ number: 1, text: 'a small value' })
export const fields: readonly string[] = ['content-type', 'application/json', 'etag', '1']
