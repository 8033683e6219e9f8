import { describe, expect, it } from 'vitest'
import { defaultConfiguration, parseConfiguration } from './configuration.ts'

const configuration = (mtls: string): string => `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: daprsystem
spec:
  mtls: ${mtls}
`

describe('the Configuration', () => {
  it('has defaults', () => {
    expect(parseConfiguration('kind: Configuration', 'c.yaml')).toEqual(defaultConfiguration)
    expect(parseConfiguration(configuration('{ enabled: true }'), 'c.yaml')).toEqual({
      workloadCertTtlMs: 86_400_000,
      allowedClockSkewMs: 900_000,
      jwks: undefined,
    })
  })

  it('is found among other resources', () => {
    const text = `kind: Component\n---\n${configuration("{ workloadCertTTL: '1h', allowedClockSkew: '0s' }")}`
    expect(parseConfiguration(text, 'c.yaml')).toMatchObject({
      workloadCertTtlMs: 3_600_000,
      allowedClockSkewMs: 0,
    })
  })

  it('names how tokens are checked', () => {
    const options =
      "{ source: 'https://a/keys', caCertificate: ca.pem, minRefreshInterval: 5m, requestTimeout: 1s }"
    const text = configuration(`{ tokenValidators: [{ name: JWKS, options: ${options} }] }`)
    expect(parseConfiguration(text, 'c.yaml').jwks).toEqual({
      source: 'https://a/keys',
      caCertificate: 'ca.pem',
      minRefreshIntervalMs: 300_000,
      requestTimeoutMs: 1000,
    })
    const short = configuration('{ tokenValidators: [{ name: jwks, options: { source: keys.json } }] }')
    expect(parseConfiguration(short, 'c.yaml').jwks).toEqual({
      source: 'keys.json',
      caCertificate: undefined,
      minRefreshIntervalMs: 600_000,
      requestTimeoutMs: 30_000,
    })
  })

  it.each([
    ['[', /c\.yaml is no YAML/],
    ['kind: Component', /no resource of kind Configuration/],
    [configuration("{ workloadCertTTL: 'a day' }"), /workloadCertTTL in c\.yaml is "a day"/],
    [configuration('{ workloadCertTTL: 24 }'), /workloadCertTTL in c\.yaml is 24/],
    [configuration("{ workloadCertTTL: '0s' }"), /workloadCertTTL/],
    [configuration("{ allowedClockSkew: '-1m' }"), /allowedClockSkew/],
    [configuration('{ tokenValidators: jwks }'), /tokenValidators in c\.yaml is no list/],
    [configuration('{ tokenValidators: [{ name: insecure }] }'), /"insecure" is built in/],
    [configuration('{ tokenValidators: [{ name: kubernetes }] }'), /"kubernetes" is built in/],
    [configuration('{ tokenValidators: [{ name: other }] }'), /"other" is no validator/],
    [configuration('{ tokenValidators: [{ name: jwks }] }'), /needs options\.source/],
  ])('%j is refused', (text, message) => {
    expect(() => parseConfiguration(text, 'c.yaml')).toThrow(message)
  })
})
