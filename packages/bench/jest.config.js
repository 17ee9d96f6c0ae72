export { default } from '@zookit/jest-preset';
