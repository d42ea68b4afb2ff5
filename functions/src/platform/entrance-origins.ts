import { Expression } from 'firebase-functions/params';
import { readConfig } from '../config.ts';

/**
 * ALLOWED_ORIGINS as the list that browsers are answered from. Firebase evaluates it at each request (params have no
 * value while it discovers the functions); a param of its own would compare the whole comma-separated text.
 * With no origin listed, no other site's page may call.
 */
class AllowedOrigins extends Expression<string[]> {
  override value(): string[] {
    return this.runtimeValue();
  }

  runtimeValue(): string[] {
    return readConfig().allowedOrigins;
  }

  override toString(): string {
    return 'params.ALLOWED_ORIGINS';
  }
}

export const allowedOrigins = new AllowedOrigins();
