export { App, endApps, type AppAnswer, type AppHandler, type AppRequest } from './app.ts'
export { Child, childEnv, type ChildOptions } from './child.ts'
export { Consumer, endConsumers, type ConsumerOptions } from './consumer.ts'
export { call, type HttpAnswer } from './http.ts'
export type { Json } from './json.ts'
export { processesWith, type Process } from './processes.ts'
export {
  component,
  subscription,
  writeResources,
  type ComponentText,
  type ResourcesText,
} from './resources.ts'
export { daprd, endSidecars, modulesPath, Sidecar, startSidecar, type SidecarOptions } from './sidecar.ts'
