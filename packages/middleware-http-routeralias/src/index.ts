import { fields, string } from '@outrigger/kit'
import { defineHttpMiddleware } from '@outrigger/spec'
import { createRouterAlias } from './router-alias.ts'

export default defineHttpMiddleware({
  type: 'middleware.http.routeralias',
  title: 'Router alias',
  description: 'Gives paths of the API other names.',
  versions: {
    v1: {
      metadata: fields(
        {
          routes: string({
            description:
              'Incoming paths and what each becomes, as a map in JSON or YAML. `{name}` in an incoming path stands for one segment and comes to the query.',
            example: '{"/orders/{id}": "/v1.0/invoke/orders/method/order"}',
          }),
        },
        // Routes as items of their own, as they were written before `routes` came.
        ['/'],
      ),
      capabilities: [],
      create: createRouterAlias,
    },
  },
})
