import '../components/site-header';
import './home-page';
import { startLanguage } from '../i18n';

void startLanguage();
