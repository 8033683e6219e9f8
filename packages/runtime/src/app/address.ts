/** `http://127.0.0.1:6000`: how a client of wire knows the application. */
export function appOrigin(secure: boolean, host: string, port: number): string {
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  return `${secure ? 'https' : 'http'}://${bracketed}:${port}`
}
