package outrigger.sdk;

/** Calls a method in all its forms and throws when something else comes back than must. */
interface Call {
  void of(Scene scene) throws Exception;
}
