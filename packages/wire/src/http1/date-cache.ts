/** The `Date` field, made once a second at most and only while there are answers. */
export class DateCache {
  private text = ''
  private timer: NodeJS.Timeout | undefined
  private readonly expire = (): void => {
    this.text = ''
    this.timer = undefined
  }

  /** The field with its line end. */
  get field(): string {
    return this.text === '' ? this.renew() : this.text
  }

  close(): void {
    clearTimeout(this.timer)
    this.expire()
  }

  private renew(): string {
    const now = new Date()
    this.text = `date: ${now.toUTCString()}\r\n`
    clearTimeout(this.timer)
    this.timer = setTimeout(this.expire, 1000 - now.getMilliseconds()).unref()
    return this.text
  }
}
