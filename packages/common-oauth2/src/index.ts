export { fetchJson, httpUrl, shownUrl, type FetchOptions, type JsonAnswer } from './fetch-json.ts'
export { clientScopes } from './scopes.ts'
export { createTokenClient, type Token, type TokenClient, type TokenClientOptions } from './token-client.ts'
