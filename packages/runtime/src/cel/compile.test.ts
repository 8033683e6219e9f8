import { describe, expect, it } from 'vitest'
import { compile } from './compile.ts'

const event = JSON.parse(`{
  "id": "A-17", "type": "order.paid", "time": "2026-03-01T10:20:30Z",
  "data": { "amount": 12.5, "count": 3, "none": null, "tags": ["new", "gift"], "lines": [{"sku": "a", "n": 2}, {"sku": "b", "n": 0}],
    "constructor": "mine", "__proto__": "too", "content-type": "text", "name": "grüße 🚀", "empty": {}, "paid": true }
}`) as object

const yes = `
event.type == "order.paid"
event.type != 'order.open'
event["type"] == "order.paid"
event.type.startsWith("order.") && event.type.endsWith(".paid")
event.type.contains("r.p")
event.type.matches("^order\\\\.[a-z]+$")
"paid" in ["open", "paid"]
event.data.amount > 12
event.data.amount >= 12.5 && event.data.amount <= 12.5
event.data.count == 3
event.data.count == 3.0
event.data.count < 4u
event.data.count in [1, 2, 3]
!(event.data.count > 3)
event.data.amount + 0.5 == 13.0
int(event.data.count) % 2 == 1
int(event.data.count) / 2 == 1
double("1.5") == 1.5
int("42") == 42
int(42u) == 42
uint(7) == 7u
string(1) == "1"
bool("true")
-7 / 2 == -3
-7 % 3 == -1
7.0 / 2.0 == 3.5
1 == 1.0
dyn(1) == 1u
"a" < "b"
b"a" < b"b"
size("grüße 🚀") == 7
size(event.data.tags) == 2
event.data.tags.size() == 2
event.data.tags[0] == "new"
"gift" in event.data.tags
"amount" in event.data
!("missing" in event.data)
has(event.data.amount)
!has(event.data.missing)
!has(event.missing)
event.data.none == null
event.data.paid
event.data.tags.exists(t, t == "gift")
event.data.tags.exists_one(t, t.startsWith("n"))
event.data.tags.all(t, size(t) > 2)
event.data.lines.filter(l, l.n > 0).size() == 1
event.data.lines.map(l, l.sku) == ["a", "b"]
event.data.lines.map(l, l.n > 0, l.sku) == ["a"]
[].all(x, x > 0)
!([].exists(x, x > 0))
[1, 2] + [3] == [1, 2, 3]
{"a": 1}.a == 1
{"a": 1}["a"] == 1
{1: "x", true: "y"}[true] == "y"
event.data.constructor == "mine"
event.data["content-type"] == "text"
event.data.empty == {}
true ? true : false
event.data.paid ? event.data.count == 3 : false
true || event.missing == 1
event.missing == 1 || true
!(false && event.missing == 1)
timestamp(event.time) < timestamp("2026-03-02T00:00:00Z")
timestamp(event.time).getFullYear() == 2026
timestamp(event.time).getMonth() == 2
timestamp(event.time).getDayOfMonth() == 0
timestamp(event.time).getDate() == 1
timestamp(event.time).getHours() == 10
timestamp(event.time).getHours("+02:00") == 12
timestamp(event.time).getDayOfWeek() == 0
timestamp(event.time) + duration("1h") == timestamp("2026-03-01T11:20:30Z")
timestamp("2026-03-01T11:20:30Z") - timestamp(event.time) == duration("3600s")
duration("90m") == duration("1h30m")
duration("90s").getMinutes() == 1
string(duration("90s")) == "90s"
type(1) == int
type("a") == string
type(event.data.tags) == list
"a" + "b" == "ab"
r"\\d" == "\\\\d"
'''a'b''' == "a'b"
"\\u00fc" == "ü"
0x1F == 31
1e3 == 1000.0
event.id.matches("[A-Z]-[0-9]{2}")
`
  .trim()
  .split('\n')

const fails = `
event.missing == 1
event.data.missing.deeper == 1
missing == 1
event.data.none.deeper == 1
event.data.tags[2] == "x"
1 / 0 == 1
1 % 0 == 1
9223372036854775807 + 1 > 0
-9223372036854775808 - 1 < 0
0u - 1u > 0u
1 + "a" == 2
1 + 1.0 == 2.0
int("x") == 1
int(1e99) == 1
timestamp("soon") == timestamp(event.time)
duration("320000000000s") == duration("1s")
event.type.matches("(")
event.type > 1
"a" && true
unknown(1)
`
  .trim()
  .split('\n')

const malformed = [
  '',
  'event.type ==',
  '(1',
  '"open',
  'a b',
  '1 +',
  'if (true) {}',
  'event..type',
  '[1, 2',
  'x'.repeat(20_000),
]

describe('an expression', () => {
  it.each(yes)('holds: %s', (source) => expect(compile(source)({ event })).toBe(true))
  it.each(fails)('cannot be computed: %s', (source) => {
    const evaluate = compile(source)
    expect(() => evaluate({ event })).toThrow(/\S/)
  })
  it.each(malformed)('is none: %.30s', (source) => expect(() => compile(source)).toThrow(/^is /))
})

it('a pattern is fast whatever it is tried on', () => {
  const evaluate = compile('text.matches("^(a+)+$")')
  expect(evaluate({ text: `${'a'.repeat(5000)}!` })).toBe(false)
  expect(evaluate({ text: 'a'.repeat(5000) })).toBe(true)
})

it('numbers beyond 53 bits are those that JSON gives', () => {
  expect(compile('n == 9007199254740993.0')({ n: JSON.parse('9007199254740993') as number })).toBe(true)
})
