/** RFC 7541, appendix A: names and values in turn; the entry with index 1 comes first. */
const text = `:authority|
:method|GET
:method|POST
:path|/
:path|/index.html
:scheme|http
:scheme|https
:status|200
:status|204
:status|206
:status|304
:status|400
:status|404
:status|500
accept-charset|
accept-encoding|gzip, deflate
accept-language|
accept-ranges|
accept|
access-control-allow-origin|
age|
allow|
authorization|
cache-control|
content-disposition|
content-encoding|
content-language|
content-length|
content-location|
content-range|
content-type|
cookie|
date|
etag|
expect|
expires|
from|
host|
if-match|
if-modified-since|
if-none-match|
if-range|
if-unmodified-since|
last-modified|
link|
location|
max-forwards|
proxy-authenticate|
proxy-authorization|
range|
referer|
refresh|
retry-after|
server|
set-cookie|
strict-transport-security|
transfer-encoding|
user-agent|
vary|
via|
www-authenticate|`

const pairs = text.split('\n').map((line) => line.split('|') as [string, string])

export const staticNames: readonly string[] = ['', ...pairs.map(([name]) => name)]
export const staticValues: readonly string[] = ['', ...pairs.map(([, value]) => value)]

/** Number of entries: the dynamic table begins behind it. */
export const staticCount = pairs.length

/** The first index of each name. */
export const staticIndexOfName: ReadonlyMap<string, number> = new Map(
  pairs.map(([name], index): [string, number] => [name, index + 1]).toReversed(),
)

/** Indexes of the entries that have a value, by name and value. */
export const staticIndexOfValue: ReadonlyMap<string, ReadonlyMap<string, number>> = groupValues()

function groupValues(): Map<string, Map<string, number>> {
  const found = new Map<string, Map<string, number>>()
  pairs.forEach(([name, value], index) => {
    if (value === '') return
    const values = found.get(name) ?? new Map<string, number>()
    found.set(name, values.set(value, index + 1))
  })
  return found
}
