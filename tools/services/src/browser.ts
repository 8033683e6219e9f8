export interface Page {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Keeps cookies by host, follows redirects and sends forms, as a browser does; no more than that. */
export class Browser {
  /** Host (without port, as browsers do) to name to value. */
  readonly cookies = new Map<string, Map<string, string>>()
  /** Every cookie as it was set, with its attributes. */
  readonly setCookies: string[] = []
  /** Every address that was asked for. */
  readonly visited: string[] = []

  /** Goes to an address and on to where it leads. */
  async open(
    url: string,
    init: { method?: string; body?: string; headers?: Record<string, string> } = {},
  ): Promise<Page> {
    let request: { url: URL; method: string; body: string | undefined } = {
      url: new URL(url),
      method: init.method ?? 'GET',
      body: init.body,
    }
    for (let redirects = 0; redirects < 30; redirects++) {
      this.visited.push(request.url.href)
      const headers: Record<string, string> = { ...init.headers }
      const cookie = this.#cookiesFor(request.url)
      if (cookie !== '') headers['cookie'] = cookie
      if (request.body !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded'
      const response = await fetch(request.url, {
        method: request.method,
        headers,
        redirect: 'manual',
        ...(request.body === undefined ? {} : { body: request.body }),
      })
      this.#keep(request.url, response.headers.getSetCookie())
      const location = response.headers.get('location')
      const text = await response.text()
      if (location === null || response.status < 300 || response.status > 399) {
        return { url: request.url.href, status: response.status, headers: response.headers, text }
      }
      const keeps = response.status === 307 || response.status === 308
      request = {
        url: new URL(location, request.url),
        method: keeps ? request.method : 'GET',
        body: keeps ? request.body : undefined,
      }
    }
    throw new Error(`too many redirects: ${this.visited.slice(-5).join(' -> ')}`)
  }

  /** Sends the first form of a page, with these fields besides the hidden ones. */
  submit(page: Page, fields: Readonly<Record<string, string>> = {}): Promise<Page> {
    const form = /<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/.exec(page.text)
    if (form === null) throw new Error(`there is no form on ${page.url}: ${page.text.slice(0, 500)}`)
    const body = new URLSearchParams(fields)
    for (const [, name, value] of form[2]!.matchAll(/type="hidden" name="([^"]*)" value="([^"]*)"/g)) {
      body.set(name!, value!)
    }
    const action = form[1]!.replaceAll('&amp;', '&')
    return this.open(new URL(action, page.url).href, { method: 'POST', body: body.toString() })
  }

  #cookiesFor(url: URL): string {
    const jar = this.cookies.get(url.hostname) ?? new Map<string, string>()
    return Array.from(jar, ([name, value]) => `${name}=${value}`).join('; ')
  }

  #keep(url: URL, lines: readonly string[]): void {
    const jar = this.cookies.get(url.hostname) ?? new Map<string, string>()
    this.cookies.set(url.hostname, jar)
    for (const line of lines) {
      this.setCookies.push(line)
      const [pair = '', ...attributes] = line.split(';')
      const name = pair.slice(0, pair.indexOf('=')).trim()
      const gone = attributes.some((each) => /^\s*(max-age=0|expires=Thu, 01 Jan 1970.*)\s*$/i.test(each))
      if (gone) jar.delete(name)
      else jar.set(name, pair.slice(pair.indexOf('=') + 1).trim())
    }
  }
}
