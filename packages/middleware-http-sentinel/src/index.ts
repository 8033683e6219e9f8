import { fields, json, string } from '@outrigger/kit'
import { defineHttpMiddleware } from '@outrigger/spec'
import { createSentinel } from './sentinel.ts'

export default defineHttpMiddleware({
  type: 'middleware.http.sentinel',
  title: 'Sentinel',
  description: 'Limits and sheds load by the rules of Sentinel.',
  versions: {
    v1: {
      metadata: fields({
        appName: string({ description: 'Named in the log with what was refused.', example: 'nodeapp' }),
        logDir: string({ description: 'Has no effect: everything goes to the log of the sidecar.' }),
        flowRules: json({
          description: 'How many requests of a resource pass, as a list of rules in JSON.',
          example: '[{"resource":"POST:/v1.0/invoke/shop/method/order","threshold":10}]',
        }),
        circuitBreakerRules: json({
          description:
            'When a resource that is slow or fails gets no requests for a while, as a list of rules in JSON.',
          example:
            '[{"resource":"GET:/a","strategy":0,"retryTimeoutMs":3000,"minRequestAmount":10,"statIntervalMs":10000,"maxAllowedRtMs":50,"threshold":0.5}]',
        }),
        hotSpotParamRules: json({
          description: 'Has no effect, as in Dapr: requests have no parameters in the sense of Sentinel.',
        }),
        isolationRules: json({
          description: 'How many requests of a resource may be under way, as a list of rules in JSON.',
          example: '[{"resource":"GET:/a","threshold":10}]',
        }),
        systemRules: json({
          description: 'What the whole sidecar may carry, as a list of rules in JSON.',
          example: '[{"metricType":3,"triggerCount":1000}]',
        }),
      }),
      capabilities: [],
      create: createSentinel,
    },
  },
})
