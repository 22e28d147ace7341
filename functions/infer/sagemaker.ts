import { type Request, utf8 } from '../shared/event.ts';
import type { Answer } from '../shared/http.ts';
import type { Responder } from './answer.ts';
import { inferAnswer } from './answer.ts';
import type { Body } from './body.ts';
import { type InferRequest, readRequest, type Shapes } from './request.ts';
import type { Tensors } from './transform.ts';

export function readInvocation(
  request: Request,
  body: Body,
  shapes: Shapes,
  responder: Responder,
): { readonly asked: InferRequest; readonly answer: (tensors: Tensors) => Answer } {
  const asked = readRequest(typeof body === 'string' ? body : utf8(body), shapes);
  void request;
  return { asked, answer: (tensors) => inferAnswer(responder, asked.id, asked.outputs, tensors) };
}
