/** Who asks, from a secret: what it may be, and what is refused without a word of it. */
import { expect, it } from 'vitest';
import { addressFault, addressIn } from '../../../../core/origin/address.ts';
import { authorizationIn } from '../../../../core/origin/authorization.ts';

it.each([
  ['{"username": "ann", "password": "p:w"}', `Basic ${Buffer.from('ann:p:w').toString('base64')}`],
  ['{"token": "t0ken", "username": "ann", "password": "pw"}', 'Bearer t0ken'],
  [' t0ken\n', 'Bearer t0ken'],
  ['123456', 'Bearer 123456'],
  ['{"username": "ann"}', undefined],
  ['{"token": "t0ken\\r\\nX-Other: 1"}', undefined],
  ['two words', undefined],
  ['', undefined],
  ['{}', undefined],
])('%s', (secret, header) => {
  expect(authorizationIn(secret)).toBe(header);
});

it.each([
  ['https://mlflow.example.com', undefined],
  ['https://mlflow.example.com/team/', undefined],
  ['http://127.0.0.1:5000', undefined],
  ['http://localhost:5000', undefined],
  ['http://[::1]:5000', undefined],
  ['http://mlflow.example.com', 'begins with http://, and who is told sends credentials'],
  ['http://127.0.0.1.example.com', 'begins with http://, and who is told sends credentials'],
  ['file:///etc/passwd', 'begins with file://, and who is told sends credentials'],
  ['https://ann:secret@mlflow.example.com', 'has a name or a password in it'],
  ['https://ann@mlflow.example.com', 'has a name or a password in it'],
  ['https://mlflow.example.com?x=1', 'has a query or a fragment'],
  ['https://mlflow.example.com#x', 'has a query or a fragment'],
  ['mlflow.example.com', 'is no URL'],
  ['//mlflow.example.com', 'is no URL'],
])('%s: %s', (address, fault) => {
  expect(addressFault(address)).toBe(fault);
});

it('an address is the same however it is written', () => {
  expect(addressIn('HTTPS://MLflow.example.com:443/team//')).toBe('https://mlflow.example.com/team');
  expect(addressIn('nothing')).toBe('nothing');
});
