import type { AdviceNeeds, FormAdvice } from '../../../core/advice/contract.ts';

/** Advice on one model, as it is printed. */
export type AdvisedModel = {
  readonly name: string;
  readonly needs: AdviceNeeds;
  readonly advice: FormAdvice;
};
